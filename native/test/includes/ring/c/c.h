#include "../a/a.h"
#include "own.h"
