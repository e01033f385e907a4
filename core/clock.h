/* clock.h - the clock by which kernels are timed, which a test may replace.  Internal.
 *
 * Not here: deadlines and progress, which go by conv_seconds() of convref/machine.h.
 */
#ifndef CONVREF_CORE_CLOCK_H
#define CONVREF_CORE_CLOCK_H

double clock_now(void);

/* NULL: the clock of the machine again. */
void clock_set(double (*now)(void));

#endif
