int cmd_explain(int c, char **v); int cmd_explain(int c, char **v) { (void)c; (void)v; return 2; }
