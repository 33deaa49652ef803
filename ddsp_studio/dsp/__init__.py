"""Pure tensor functions: oscillators, noise, filters, convolution, envelopes, scaling. Nothing here holds state."""
