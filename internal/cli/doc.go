// Package cli owns the command line. Its wings have the commands, by theme: judge,
// connect, guard, keep, cloud. Each command parses, calls one function of app or of
// a feature, and prints; it decides nothing. Wings never import each other: what
// they share is in kit.
//
// Manners: results go to standard output, everything else to standard error;
// messages are lower case without a full stop; a progress bar shows only on a
// terminal and only for work over two seconds; colour honours NO_COLOR; exit
// codes are 0 all well, 1 could not do it, 2 usage, 3 done and a mandatory
// requirement is not met or unknown.
package cli
