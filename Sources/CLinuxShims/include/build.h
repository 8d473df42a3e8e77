/// What the release build leaves in the binary about itself.
#pragma once

/// Lines of `key=value`: date, commit, tree-state, tag. `scripts/build-static` replaces the section's content after linking, so
/// that a new commit recompiles nothing.
const char *_Nonnull argoexec_build_information(void);
