"""Generated Python: one function a policy, values and trace at once, explanations on demand."""
