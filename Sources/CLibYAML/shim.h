#ifndef BUILDMASTER_CLIBYAML_H
#define BUILDMASTER_CLIBYAML_H

#include <yaml.h>

#endif
