#pragma once
#include "files.h"
#include "process.h"
#include "startup.h"
