#ifndef BUILDMASTER_CLIBPCRE2_H
#define BUILDMASTER_CLIBPCRE2_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* The remaining cost budget of a search.
 *
 * PCRE2's own match limit only counts backtracking points. A repeated item such as `a+` can pass
 * any number of bytes for one count. Here every item tried costs one step, as does every byte
 * between it and the previous item. A back reference compares at most the bytes matched so far. */
struct buildmaster_pattern_cost {
    uint64_t left;
    size_t last_position;
    int has_back_references;
};

static int buildmaster_pattern_pay(pcre2_callout_block_8 *item, void *data) {
    struct buildmaster_pattern_cost *cost = (struct buildmaster_pattern_cost *)data;
    size_t position = item->current_position, last = cost->last_position;
    uint64_t price = 1 + (position > last ? position - last : last - position);
    if (cost->has_back_references && position > item->start_match)
        price += position - item->start_match;
    cost->last_position = position;
    if (price > cost->left) return PCRE2_ERROR_MATCHLIMIT;
    cost->left -= price;
    return 0;
}

/* Compiles a UTF-8 pattern; `nesting` limits the depth of parentheses. */
static inline pcre2_code_8 *buildmaster_pattern_compile(
    const uint8_t *pattern, size_t length, uint32_t nesting, int *error, size_t *place) {
    pcre2_compile_context_8 *context = pcre2_compile_context_create_8(NULL);
    *error = PCRE2_ERROR_NOMEMORY;
    *place = 0;
    if (context == NULL) return NULL;
    pcre2_set_parens_nest_limit_8(context, nesting);
    uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code_8 *code = pcre2_compile_8(pattern, length, options, error, place, context);
    pcre2_compile_context_free_8(context);
    return code;
}

/* Searches a text, or only its start: returns 1 if it matches, 0 if not, or else PCRE2's error
 * code. */
static inline int buildmaster_pattern_search(
    const pcre2_code_8 *code, const uint8_t *text, size_t length, int only_start, uint64_t steps,
    uint32_t kibibytes) {
    pcre2_match_context_8 *context = pcre2_match_context_create_8(NULL);
    pcre2_match_data_8 *match = pcre2_match_data_create_8(1, NULL);
    int result = PCRE2_ERROR_NOMEMORY;
    if (context != NULL && match != NULL) {
        uint32_t references = 0;
        pcre2_pattern_info_8(code, PCRE2_INFO_BACKREFMAX, &references);
        struct buildmaster_pattern_cost cost = {steps, 0, references > 0};
        pcre2_set_callout_8(context, buildmaster_pattern_pay, &cost);
        pcre2_set_match_limit_8(context, (uint32_t)steps);
        pcre2_set_heap_limit_8(context, kibibytes);
        result = pcre2_match_8(code, text, length, 0, only_start ? PCRE2_ANCHORED : 0, match, context);
    }
    pcre2_match_data_free_8(match);
    pcre2_match_context_free_8(context);
    if (result == PCRE2_ERROR_NOMATCH) return 0;
    return result < 0 ? result : 1;
}

#endif
