"""The studio window. Qt only: never imports TensorFlow."""
