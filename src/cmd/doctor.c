#include "cmd/cmd.h"
int e4d_cmd_doctor(int argc, char **argv){(void)argc;(void)argv;return 3;}
