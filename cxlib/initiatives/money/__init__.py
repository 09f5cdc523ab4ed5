"""Cash flows, return and verdict, each from the same joint draws."""
