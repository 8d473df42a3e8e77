#include "CRE2.h"

#include <re2/re2.h>

#include <cstdio>
#include <new>
#include <string>
#include <vector>

struct cre2_pattern {
    RE2 expression;

    cre2_pattern(const re2::StringPiece &text, const RE2::Options &options) : expression(text, options) {}
};

cre2_pattern *cre2_compile(const char *expression, size_t length, char *error, size_t error_capacity) {
    RE2::Options options;
    options.set_log_errors(false);  // we report the error; RE2 would print it as well
    auto *pattern = new (std::nothrow) cre2_pattern(re2::StringPiece(expression, length), options);
    if (pattern == nullptr) {
        std::snprintf(error, error_capacity, "out of memory");
        return nullptr;
    }
    if (!pattern->expression.ok()) {
        std::snprintf(error, error_capacity, "%s", pattern->expression.error().c_str());
        delete pattern;
        return nullptr;
    }
    return pattern;
}

bool cre2_matches(const cre2_pattern *pattern, const char *text, size_t length) {
    return RE2::PartialMatch(re2::StringPiece(text, length), pattern->expression);
}

size_t cre2_group_count(const cre2_pattern *pattern) {
    return static_cast<size_t>(pattern->expression.NumberOfCapturingGroups());
}

ptrdiff_t cre2_group_number(const cre2_pattern *pattern, const char *name, size_t length) {
    const auto &groups = pattern->expression.NamedCapturingGroups();
    const auto found = groups.find(std::string(name, length));
    return found == groups.end() ? -1 : found->second;
}

bool cre2_find(const cre2_pattern *pattern, const char *text, size_t length, size_t start, ptrdiff_t *bounds, size_t count) {
    std::vector<re2::StringPiece> groups(count);
    const re2::StringPiece whole(text, length);
    if (!pattern->expression.Match(whole, start, length, RE2::UNANCHORED, groups.data(), static_cast<int>(count))) return false;
    for (size_t group = 0; group < count; group++) {
        const bool took_part = groups[group].data() != nullptr;
        bounds[2 * group] = took_part ? groups[group].data() - text : -1;
        bounds[2 * group + 1] = took_part ? bounds[2 * group] + static_cast<ptrdiff_t>(groups[group].size()) : -1;
    }
    return true;
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }
