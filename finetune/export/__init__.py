"""Models as ONNX, for programs without PyTorch."""
