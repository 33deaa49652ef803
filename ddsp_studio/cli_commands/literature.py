"""The publications that docstrings name, in full, for the pages of documentation."""

from __future__ import annotations

import re
from typing import NamedTuple


class Work(NamedTuple):
    """A publication: a pattern that finds it in a docstring, names and year for a table, and the full reference."""

    pattern: str
    short: str
    full: str


_WORKS = (
    Work(
        r"Bengio",
        "Bengio et al. 2013",
        "Y. Bengio, N. Léonard and A. Courville, “Estimating or Propagating Gradients Through Stochastic Neurons for "
        "Conditional Computation”, arXiv:1308.3432, 2013",
    ),
    Work(
        r"Blumlein",
        "Blumlein 1931",
        "A. D. Blumlein, “Improvements in and relating to Sound-transmission, Sound-recording and Sound-reproducing Systems”, "
        "British patent 394,325, 1931",
    ),
    Work(
        r"Boersma",
        "Boersma 1993",
        "P. Boersma, “Accurate Short-Term Analysis of the Fundamental Frequency and the Harmonics-to-Noise Ratio of a "
        "Sampled Sound”, Proceedings of the Institute of Phonetic Sciences 17, Amsterdam, 1993",
    ),
    Work(
        r"Bristow-Johnson",
        "Bristow-Johnson 1998",
        "R. Bristow-Johnson, “Cookbook Formulae for Audio Equalizer Biquad Filter Coefficients”, 1998",
    ),
    Work(
        r"Cho\b",
        "Cho et al. 2014",
        "K. Cho, B. van Merriënboer, C. Gulcehre, D. Bahdanau, F. Bougares, H. Schwenk and Y. Bengio, “Learning "
        "Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation”, EMNLP 2014",
    ),
    Work(
        r"Davis and Mermelstein",
        "Davis and Mermelstein 1980",
        "S. B. Davis and P. Mermelstein, “Comparison of Parametric Representations for Monosyllabic Word Recognition "
        "in Continuously Spoken Sentences”, IEEE Transactions on Acoustics, Speech, and Signal Processing 28 (4), "
        "1980",
    ),
    Work(
        r"Dattorro",
        "Dattorro 1997",
        "J. Dattorro, “Effect Design, Part 2: Delay-Line Modulation and Chorus”, Journal of the Audio Engineering "
        "Society 45 (10), 1997",
    ),
    Work(
        r"Engel",
        "Engel et al. 2020",
        "J. Engel, L. Hantrakul, C. Gu and A. Roberts, “DDSP: Differentiable Digital Signal Processing”, ICLR 2020, "
        "arXiv:2001.04643",
    ),
    Work(
        r"Esser",
        "Esser et al. 2020",
        "S. K. Esser, J. L. McKinstry, D. Bablani, R. Appuswamy and D. S. Modha, “Learned Step Size Quantization”, ICLR 2020",
    ),
    Work(
        r"Gardner",
        "Gardner 1995",
        "W. G. Gardner, “Efficient Convolution without Input-Output Delay”, Journal of the Audio Engineering Society "
        "43 (3), 1995",
    ),
    Work(
        r"Giannoulis",
        "Giannoulis et al. 2012",
        "D. Giannoulis, M. Massberg and J. D. Reiss, “Digital Dynamic Range Compressor Design – A Tutorial and "
        "Analysis”, Journal of the Audio Engineering Society 60 (6), 2012",
    ),
    Work(
        r"He et al|He, Zhang",
        "He et al. 2016",
        "K. He, X. Zhang, S. Ren and J. Sun, “Deep Residual Learning for Image Recognition”, CVPR 2016",
    ),
    Work(
        r"IEC 61672",
        "IEC 61672-1",
        "IEC 61672-1:2013, Electroacoustics – Sound level meters – Part 1: Specifications",
    ),
    Work(
        r"Laakso",
        "Laakso et al. 1996",
        "T. I. Laakso, V. Välimäki, M. Karjalainen and U. K. Laine, “Splitting the Unit Delay: Tools for Fractional "
        "Delay Filter Design”, IEEE Signal Processing Magazine 13 (1), 1996",
    ),
    Work(
        r"Linkwitz",
        "Linkwitz 1976",
        "S. H. Linkwitz, “Active Crossover Networks for Noncoincident Drivers”, Journal of the Audio Engineering "
        "Society 24 (1), 1976",
    ),
    Work(
        r"McAulay",
        "McAulay and Quatieri 1986",
        "R. J. McAulay and T. F. Quatieri, “Speech Analysis/Synthesis Based on a Sinusoidal Representation”, IEEE "
        "Transactions on Acoustics, Speech, and Signal Processing 34 (4), 1986",
    ),
    Work(
        r"Moorer",
        "Moorer 1979",
        "J. A. Moorer, “About This Reverberation Business”, Computer Music Journal 3 (2), 1979",
    ),
    Work(
        r"Parker",
        "Parker et al. 2016",
        "J. D. Parker, V. Zavalishin and E. Le Bivic, “Reducing the Aliasing of Nonlinear Waveshaping Using "
        "Continuous-Time Convolution”, DAFx-16, 2016",
    ),
    Work(
        r"Roads",
        "Roads 2001",
        "C. Roads, Microsound, MIT Press, 2001",
    ),
    Work(
        r"Schlick",
        "Schlick 1994",
        "C. Schlick, “Fast Alternatives to Perlin's Bias and Gain Functions”, in Graphics Gems IV, Academic Press, 1994",
    ),
    Work(
        r"Shan",
        "Shan et al. 2022",
        "S. Shan, L. Hantrakul, J. Chen, M. Avent and D. Trevelyan, “Differentiable Wavetable Synthesis”, ICASSP 2022",
    ),
    Work(
        r"Simper",
        "Simper 2013",
        "A. Simper, “Linear Trapezoidal Integrated State Variable Filter”, Cytomic, 2013",
    ),
    Work(
        r"Smith, Physical",
        "Smith 2010",
        "J. O. Smith, Physical Audio Signal Processing, W3K Publishing, 2010",
    ),
    Work(
        r"Smith, Spectral",
        "Smith 2011",
        "J. O. Smith, Spectral Audio Signal Processing, W3K Publishing, 2011",
    ),
    Work(
        r"Unser",
        "Unser 1999",
        "M. Unser, “Splines: A Perfect Fit for Signal and Image Processing”, IEEE Signal Processing Magazine 16 (6), 1999",
    ),
    Work(
        r"Välimäki and Huovinen",
        "Välimäki and Huovinen 2007",
        "V. Välimäki and A. Huovinen, “Antialiasing Oscillators in Subtractive Synthesis”, IEEE Signal Processing "
        "Magazine 24 (2), 2007",
    ),
    Work(
        r"van den Oord",
        "van den Oord et al. 2016",
        "A. van den Oord, S. Dieleman, H. Zen, K. Simonyan, O. Vinyals, A. Graves, N. Kalchbrenner, A. Senior and K. "
        "Kavukcuoglu, “WaveNet: A Generative Model for Raw Audio”, arXiv:1609.03499, 2016",
    ),
    Work(
        r"(?<!Parker, )Zavalishin,",
        "Zavalishin 2012",
        "V. Zavalishin, The Art of VA Filter Design, Native Instruments, 2012",
    ),
)


def works(text: str) -> list[Work]:
    """The publications that a text names, in the order of their first mention."""
    flat = " ".join(text.split())
    found = {work: match.start() for work in _WORKS if (match := re.search(work.pattern, flat))}
    return sorted(found, key=found.__getitem__)
