"""Where a training is followed from outside: TensorBoard, Weights & Biases, Trackio; none is ever in the way."""
