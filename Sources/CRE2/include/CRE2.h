/// RE2's regular expressions (Go's own syntax, linear time) behind plain C.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled expression; it never changes, so any number of threads may match with it at once.
typedef struct cre2_pattern cre2_pattern;

/// Compiles `length` bytes of UTF-8. On a bad expression answers NULL and puts RE2's own text (one line, ended by NUL, cut to
/// `error_capacity` bytes) into `error`.
cre2_pattern *_Nullable cre2_compile(
    const char *_Nonnull expression, size_t length, char *_Nonnull error, size_t error_capacity);

/// Whether the expression matches anywhere in `length` bytes of text, which may hold NUL and broken UTF-8.
bool cre2_matches(const cre2_pattern *_Nonnull pattern, const char *_Nullable text, size_t length);

/// How many groups the expression captures.
size_t cre2_group_count(const cre2_pattern *_Nonnull pattern);

/// The number of the group of a name, from 1, or -1.
ptrdiff_t cre2_group_number(const cre2_pattern *_Nonnull pattern, const char *_Nonnull name, size_t length);

/// Whether the expression matches at or behind byte `start`; the first match then goes to `bounds`: for the whole and then for each
/// group the offsets of its first byte and of the one behind its last, or -1 for a group that took no part.
///
/// - count: how many of them are wanted, at most one more than there are groups.
bool cre2_find(
    const cre2_pattern *_Nonnull pattern, const char *_Nullable text, size_t length, size_t start, ptrdiff_t *_Nonnull bounds,
    size_t count);

/// Ends the life of a pattern.
void cre2_free(cre2_pattern *_Nullable pattern);

#ifdef __cplusplus
}
#endif
