/* words.h - help with words that a person typed.  Internal. */
#ifndef CONVREF_CORE_WORDS_H
#define CONVREF_CORE_WORDS_H

/* The word of the list that was probably meant; NULL if none is near. */
const char *conv_nearest(const char *word, const char *const *words, int count);

#endif
