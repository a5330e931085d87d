// 1:1: nothing is marked here; see evercoregen --help

struct User {};
