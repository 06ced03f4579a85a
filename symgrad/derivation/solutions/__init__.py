"""Questions of kind solve: equations, inequalities and integer conditions, every solution put in."""
