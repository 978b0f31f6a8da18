/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A heat map as a picture of its own: for browsers, light or dark, without
 * scripts.
 */
#ifndef CTL_SVG_H
#define CTL_SVG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct heat;
struct rec_meta;

void svg_write(FILE *to, const struct heat *heat, const struct rec_meta *meta);

/* For the parts of the picture. */

#define SVG_WIDTH	1000
#define SVG_LEFT	156.0	/* of the grid */
#define SVG_COLUMN	4.0
#define SVG_LEVELS	8

/*
 * Text between tags, or in quotes, of at most @max characters. What XML does
 * not allow is replaced.
 */
void svg_text(FILE *to, const char *text, unsigned int max);
void svg_style(FILE *to);

/* The level's least count is at @steps[level - 1]; returns how many there are. */
int svg_levels(uint32_t max, uint32_t *steps);
int svg_level(const uint32_t *steps, int nr, uint32_t count);

/* Each begins at @y and returns where it ends. */
double svg_title(FILE *to, const struct heat *heat,
		 const struct rec_meta *meta);
double svg_bars(FILE *to, const struct heat *heat, double y);
double svg_overflows(FILE *to, const struct heat *heat, double y,
		     double bottom);
double svg_grid(FILE *to, const struct heat *heat, double y);
double svg_time_axis(FILE *to, const struct heat *heat, double y);
double svg_legend(FILE *to, const struct heat *heat, double y);
double svg_grid_height(const struct heat *heat);

#endif
