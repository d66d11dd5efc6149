// Package child runs another program on our behalf: with its signals and its exit
// code handed through, with no open file of ours, and as another user where that is
// asked.
package child
