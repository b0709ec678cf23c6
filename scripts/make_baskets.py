#!/usr/bin/env python3
"""Write corpora/baskets.txt: what 2,000 customers of a made shop bought, a basket a line.

    scripts/make_baskets.py            write it
    scripts/make_baskets.py --check    is it what would be written?

A customer comes for one thing, breakfast, a barbecue, a baby, cleaning or a party, takes some of
what goes with it, and two of what everyone needs now and then. No line says what it was for.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

PATH = Path(__file__).resolve().parent.parent / "corpora" / "baskets.txt"
AISLES = {
    "breakfast": "coffee muesli jam honey butter eggs orange_juice croissants yoghurt",
    "barbecue": "charcoal sausages steak ketchup mustard firelighters buns coleslaw marinade",
    "baby": "nappies wipes baby_food formula_milk dummies talcum_powder bibs rusks",
    "cleaning": "bleach sponges mop bin_bags washing_powder floor_cleaner gloves brush",
    "party": "crisps beer balloons paper_plates lemonade peanuts ice_cubes candles",
}
ANYTHING = "milk bread bananas apples water salt tissues chocolate carrots rice"


def baskets() -> str:
    draw = random.Random(1)
    lines = []
    for _ in range(2_000):
        aisle = AISLES[draw.choice(list(AISLES))].split()
        basket = draw.sample(aisle, draw.randint(2, 6)) + draw.sample(ANYTHING.split(), 2)
        draw.shuffle(basket)
        lines.append(" ".join(basket) + "\n")
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PATH.write_text(baskets(), encoding="utf-8")
    elif PATH.read_text(encoding="utf-8") != baskets():
        sys.exit("corpora/baskets.txt is not what scripts/make_baskets.py writes. Remedy: run it.")


if __name__ == "__main__":
    main()
