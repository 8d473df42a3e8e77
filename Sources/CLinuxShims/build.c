#include "build.h"

__attribute__((section(".argoexec.build"), used)) static volatile char information[256] =
    "date=unknown\ncommit=unknown\ntree-state=unknown\ntag=\n";

const char *argoexec_build_information(void) { return (const char *)information; }
