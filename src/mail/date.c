/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times as mail writes them. */
#include "mail/date.h"

#include <stdlib.h>

/* The zone has no seconds, so neither has what it adds. */
int date_add(struct buf *out, time_t when, struct outcome *o)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm t;
	long zone;

	tzset();
	if (!localtime_r(&when, &t))
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot tell the local time");
	zone = t.tm_gmtoff / 60;
	when += zone * 60;
	gmtime_r(&when, &t);
	buf_printf(out, "%.3s, %d %.3s %d %02d:%02d:%02d %c%02ld%02ld",
		   days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon,
		   t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec,
		   zone < 0 ? '-' : '+', labs(zone) / 60, labs(zone) % 60);
	return 0;
}
