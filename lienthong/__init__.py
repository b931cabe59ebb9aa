"""The command `lienthong`: one file per noun, exit codes 0 done, 1 refused, 2 usage, 3 try later."""
