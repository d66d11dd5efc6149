// Package cli owns the command line: one file a subcommand, each of which
// parses, calls internal/app, and prints. It decides nothing.
//
// Manners: results go to standard output, everything else to standard error;
// messages are lower case without a full stop; a progress bar shows only on a
// terminal and only for work over two seconds; colour honours NO_COLOR; exit
// codes are 0 all well, 1 could not do it, 2 usage, 3 done and a mandatory
// requirement is not met or unknown.
package cli
