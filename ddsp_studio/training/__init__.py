"""Learning a patch from audio: data, features, models, trainer, bundles."""
