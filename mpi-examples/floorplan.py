#!/usr/bin/env python3
"""Draws floorplan.pgm, the input of heat2d: python3 floorplan.py > floorplan.pgm

0 is wall, 255 a heater, 1 an open window or the world outside, anything else the temperature at the start.
"""
import sys

W, H = 400, 240
WALL, OPEN, AIR, HEATER = 0, 1, 40, 255
plan = [[AIR] * W for _ in range(H)]


def box(x0, y0, x1, y1, value):
    for y in range(y0, y1):
        for x in range(x0, x1):
            plan[y][x] = value


# Outside of the house it is cold, and the outer wall is thick.
box(0, 0, W, H, OPEN)
box(8, 8, W - 8, H - 8, WALL)
box(13, 13, W - 13, H - 13, AIR)

# Inner walls: three rooms above, a corridor, four rooms below.
for x in (130, 262):
    box(x, 13, x + 3, 92, WALL)
box(13, 92, W - 13, 95, WALL)
box(13, 122, W - 13, 125, WALL)
for x in (96, 190, 300):
    box(x, 125, x + 3, H - 13, WALL)

# Doors.
for x in (60, 196, 330):
    box(x, 92, x + 18, 95, AIR)
for x in (40, 140, 240, 350):
    box(x, 122, x + 14, 125, AIR)
box(190, 190, 193, 206, AIR)
box(130, 40, 133, 54, AIR)

# Windows.
for x in (48, 100, 300, 352):
    box(x, 8, x + 16, 13, OPEN)
box(140, 8, 256, 13, OPEN)
box(116, H - 13, 170, H - 8, OPEN)
box(8, 100, 13, 116, OPEN)
box(W - 13, 160, W - 8, 190, OPEN)
box(60, H - 13, 76, H - 8, OPEN)
box(236, H - 13, 262, H - 8, OPEN)

# Radiators, a stove with its chimney, furniture.
box(16, 30, 19, 70, HEATER)
box(W - 19, 40, W - 16, 80, HEATER)
box(20, H - 19, 50, H - 16, HEATER)
box(320, H - 40, 336, H - 24, HEATER)
for x, y in ((75, 40), (90, 60), (300, 60), (345, 40), (40, 170), (215, 150), (260, 180)):
    box(x, y, x + 16, y + 10, WALL)

# A heated floor in the hall, and a coil in the workshop below it.
GLYPHS = {
    "H": ("1   1", "1   1", "1   1", "11111", "1   1", "1   1", "1   1"),
    "M": ("1   1", "11 11", "1 1 1", "1 1 1", "1   1", "1   1", "1   1"),
    "F": ("11111", "1    ", "1    ", "1111 ", "1    ", "1    ", "1    "),
}
for i, letter in enumerate("HMF"):
    for row, line in enumerate(GLYPHS[letter]):
        for col, mark in enumerate(line):
            if mark == "1":
                x, y = 148 + 36 * i + 5 * col, 36 + 5 * row
                box(x, y, x + 5, y + 5, HEATER)
for i in range(4):
    box(110, 140 + 16 * i, 176, 142 + 16 * i, HEATER)
    box(110 if i % 2 else 174, 140 + 16 * i, 112 if i % 2 else 176, 142 + 16 * min(i + 1, 3), HEATER)

out = sys.stdout.buffer
out.write(b"P5\n# floor plan for heat2d: 0 wall, 1 cold, 255 heater, else temperature\n")
out.write(b"%d %d\n255\n" % (W, H))
for line in plan:
    out.write(bytes(line))
