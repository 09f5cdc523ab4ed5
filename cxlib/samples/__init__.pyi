from .settings import Truth as Truth
from .simulate import make_company as make_company
from .simulate import make_company_with_truth as make_company_with_truth
from .simulate import write_sample as write_sample
