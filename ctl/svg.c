// SPDX-License-Identifier: GPL-2.0-or-later
/* The frame of a heat map: what a browser is told of colours and places. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "heat.h"
#include "recording.h"
#include "report.h"
#include "svg.h"
#include "text.h"
#include "units.h"

#define NAME_LENGTH	48

static bool is_xml(uint32_t c)
{
	return c == '\t' || c == '\n' ||
	       (c >= 0x20 && c < 0xfffe && !text_is_unsafe(c)) || c > 0xffff;
}

void svg_text(FILE *to, const char *text, unsigned int max)
{
	uint32_t c;
	int len;

	while ((len = text_decode(text, &c))) {
		if (!max--) {
			fputs("\xe2\x80\xa6", to);
			return;
		}
		if (len < 0 || !is_xml(c))
			fputs("\xef\xbf\xbd", to);
		else if (c == '<')
			fputs("&lt;", to);
		else if (c == '>')
			fputs("&gt;", to);
		else if (c == '&')
			fputs("&amp;", to);
		else if (c == '"')
			fputs("&quot;", to);
		else
			fwrite(text, 1, (size_t)len, to);
		text += len < 0 ? 1 : len;
	}
}

static const char *const light[SVG_LEVELS] = {
	"#d3e5f9", "#aecff4", "#82b3ea", "#5896dc", "#3679c8", "#205dab",
	"#124388", "#0a2c60",
};

static const char *const dark[SVG_LEVELS] = {
	"#14304f", "#184372", "#1e5a9a", "#2a75c0", "#4391dd", "#6cb0f0",
	"#9ccefa", "#d6ecff",
};

static void ramp(FILE *to, const char *const *colours)
{
	int i;

	for (i = 0; i < SVG_LEVELS; i++)
		fprintf(to, ".c%d{fill:%s}\n", i + 1, colours[i]);
}

void svg_style(FILE *to)
{
	fputs("<style>\n"
	      "text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,"
	      "'DejaVu Sans',sans-serif;fill:#3c4043}\n"
	      ".t{font-size:19px;font-weight:600;fill:#17191c}\n"
	      ".m{font:11px ui-monospace,Menlo,'DejaVu Sans Mono',monospace}\n"
	      ".s{font-size:11px;fill:#6b7178}\n"
	      ".e{text-anchor:end}.k{text-anchor:middle}\n"
	      ".bg{fill:#fff}.row{fill:#f2f4f6}.bar{fill:#3679c8}\n"
	      ".ax{stroke:#b6bcc3;stroke-width:1;fill:none}\n"
	      ".gr{stroke:#e3e6e9;stroke-width:1;fill:none}\n"
	      ".u{fill:url(#unseen)}.h{stroke:#d9480f;stroke-width:1.6}\n"
	      ".ov{fill:#c92a2a}.ol{stroke:#c92a2a;stroke-opacity:.55;"
	      "stroke-dasharray:2 3;fill:none}\n"
	      "g.g rect:hover{stroke:#111;stroke-width:1}\n", to);
	ramp(to, light);
	fputs("@media (prefers-color-scheme:dark){\n"
	      "text{fill:#c3c8ce}.t{fill:#f1f3f5}.s{fill:#8f969e}\n"
	      ".bg{fill:#14171b}.row{fill:#1c2026}.bar{fill:#4391dd}\n"
	      ".ax{stroke:#5b626b}.gr{stroke:#2a2f36}\n"
	      ".h{stroke:#ff922b}\n"
	      ".ov{fill:#ff6b6b}.ol{stroke:#ff6b6b}\n"
	      "g.g rect:hover{stroke:#fff}\n", to);
	ramp(to, dark);
	fputs("}\n</style>\n"
	      "<defs><pattern id=\"unseen\" width=\"6\" height=\"6\" "
	      "patternUnits=\"userSpaceOnUse\" "
	      "patternTransform=\"rotate(45)\">"
	      "<path class=\"h\" d=\"M0 0V6\"/></pattern></defs>\n", to);
}

int svg_levels(uint32_t max, uint32_t *steps)
{
	double factor = 1, root = 1, power;
	int nr, i;

	if (max <= SVG_LEVELS) {
		for (nr = 0; nr < (int)max; nr++)
			steps[nr] = (uint32_t)nr + 1;
		return nr;
	}
	/* The root whose 8th power is max, by halving the interval. */
	for (factor = 16, root = 1; factor > 1e-9; factor /= 2) {
		for (power = 1, i = 0; i < SVG_LEVELS; i++)
			power *= root + factor;
		if (power <= max)
			root += factor;
	}
	for (power = 1, nr = 0; nr < SVG_LEVELS; nr++, power *= root) {
		steps[nr] = (uint32_t)power;
		if (nr && steps[nr] <= steps[nr - 1])
			steps[nr] = steps[nr - 1] + 1;
	}
	return nr;
}

/* From 1; the darkest of few is the darkest of all. */
int svg_level(const uint32_t *steps, int nr, uint32_t count)
{
	int level = nr;

	while (level > 1 && steps[level - 1] > count)
		level--;
	return nr < SVG_LEVELS && nr > 1 ?
	       1 + (level - 1) * (SVG_LEVELS - 1) / (nr - 1) :
	       nr == 1 ? SVG_LEVELS / 2 : level;
}

static uint64_t nr_tracked(const struct rec_meta *meta)
{
	uint64_t nr = 0;
	size_t i;

	for (i = 0; i < meta->nr_ranges; i++)
		nr += meta->ranges[i].nr_pages;
	return nr;
}

static void put_start(FILE *to, const struct rec_meta *meta)
{
	time_t seconds = (time_t)(meta->real_ns / 1000000000);
	char text[64];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		fprintf(to, " from %s", text);
}

static void put_name(FILE *to, const struct rec_meta *meta)
{
	fputs("Writes to the memory of ", to);
	svg_text(to, meta->vm_name[0] ? meta->vm_name : "a guest", NAME_LENGTH);
	fprintf(to, " (pid %" PRId64 ")", meta->vm_pid);
}

static void put_summary(FILE *to, const struct heat *heat,
			const struct rec_meta *meta)
{
	const struct report *report = heat->report;
	char writes[UNITS_SIZE], pages[UNITS_SIZE], tracked[UNITS_SIZE];
	char span[UNITS_SIZE];

	fprintf(to, "%s writes to %s of %s tracked pages in %s",
		units_exact(report->writes, writes),
		units_exact(report_pages_written(report), pages),
		units_exact(nr_tracked(meta), tracked),
		units_time(report->end_ns - report->start_ns, span));
	put_start(to, meta);
}

double svg_title(FILE *to, const struct heat *heat,
		 const struct rec_meta *meta)
{
	fprintf(to, "<text class=\"t\" x=\"24\" y=\"36\">");
	put_name(to, meta);
	fputs("</text>\n<text x=\"24\" y=\"58\">", to);
	put_summary(to, heat, meta);
	fputs("</text>\n", to);
	return 74;
}

void svg_write(FILE *to, const struct heat *heat, const struct rec_meta *meta)
{
	double height = 74 + 78 + 14 + svg_grid_height(heat) + 48 + 60;
	double y, top;

	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		"viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
		"role=\"img\" aria-labelledby=\"title desc\">\n"
		"<title id=\"title\">", SVG_WIDTH, height, SVG_WIDTH, height);
	put_name(to, meta);
	fputs("</title>\n<desc id=\"desc\">A heat map: pages downwards, time "
	      "to the right. ", to);
	put_summary(to, heat, meta);
	fputs("</desc>\n", to);
	svg_style(to);
	fputs("<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n", to);
	y = svg_title(to, heat, meta);
	y = svg_bars(to, heat, y);
	top = y;
	y = svg_grid(to, heat, top + 14);
	svg_overflows(to, heat, top, y);
	y = svg_time_axis(to, heat, y);
	svg_legend(to, heat, y);
	fputs("</svg>\n", to);
}
