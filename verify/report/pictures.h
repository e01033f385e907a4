/* pictures.h - what the page needs of a study's files.  Internal.   Read next: pictures.c, page.c */
#ifndef CONVREF_VERIFY_REPORT_PICTURES_H
#define CONVREF_VERIFY_REPORT_PICTURES_H

#include "verify/report/study.h"

/* All networks of the folder, counted: for the table and the plot. */
struct table *study_network_table(void);

/* Ladders by name, and what they are. */
enum { STUDY_LADDERS = 9 };
extern const char *const study_ladders[STUDY_LADDERS][2];

/* Has it a figure of that ladder? */
bool study_has_ladder(const struct study *study, const char *ladder);

/* Remove the files of study_keep(), and the folder. */
void study_remove_kept(const char *folder);

#endif
