"""Real images to train on: `minigrad.vision.datasets`."""
