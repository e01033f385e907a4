/* busy.h - did somebody else use the machine meanwhile?  Internal. */
#ifndef CONVREF_VERIFY_MEASURE_BUSY_H
#define CONVREF_VERIFY_MEASURE_BUSY_H

/* Seconds since some moment: of the clock, of all processors' work, and of this process's own. */
struct busy { double wall, all, own; };

struct busy busy_read(void);

/* Cores that other programs have used since then; negative if the system doesn't say. */
double busy_others(const struct busy *since);

/* Above this a measurement was disturbed. */
static const double busy_limit = 0.1;

#endif
