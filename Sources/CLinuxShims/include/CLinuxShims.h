#pragma once
#include "build.h"
#include "files.h"
#include "process.h"
#include "startup.h"
