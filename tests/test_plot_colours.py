"""The palette is the published one, and its grey can be seen on white."""

import pytest
from matplotlib import colors

from lossfn import plot

# Okabe and Ito (2008), "Color Universal Design", the table of R, G and B, 0 to 255.
PUBLISHED = {
    "black": (plot.BLACK, (0, 0, 0)),
    "orange": (plot.ORANGE, (230, 159, 0)),
    "sky blue": (plot.SKY_BLUE, (86, 180, 233)),
    "bluish green": (plot.GREEN, (0, 158, 115)),
    "yellow": (plot.YELLOW, (240, 228, 66)),
    "blue": (plot.BLUE, (0, 114, 178)),
    "vermillion": (plot.VERMILLION, (213, 94, 0)),
    "reddish purple": (plot.PURPLE, (204, 121, 167)),
}


@pytest.mark.parametrize(("ours", "published"), PUBLISHED.values(), ids=PUBLISHED)
def test_a_colour_is_the_published_one(ours, published):
    assert tuple(round(255 * channel) for channel in colors.to_rgb(ours)) == published


def test_grey_is_grey_and_dark_enough_for_a_line_on_white():
    red, green, blue = colors.to_rgb(plot.GREY)
    assert red == green == blue
    luminance = ((red + 0.055) / 1.055) ** 2.4
    assert 1.05 / (luminance + 0.05) >= 4.5  # WCAG 2 asks 3 of a line, 4.5 of text
