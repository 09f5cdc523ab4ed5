"""What changed because of an initiative, rung by rung of the evidence ladder."""
