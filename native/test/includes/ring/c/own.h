typedef int own;
