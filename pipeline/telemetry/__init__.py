"""What the program says about itself: names, logs."""
