"""The model between the two APIs: plain frozen values that import nothing of ours."""
