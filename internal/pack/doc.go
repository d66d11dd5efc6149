// Package pack makes one file of what was judged in a period, with the evidence, so that
// somebody else can check it a year later without us: every byte is under a signature, each
// page of evidence under a signed checkpoint of its time, and the verdicts come out again.
//
// The rooms: form (the file, written and read), leaf (records cut so that a part can be
// left out and the rest still be proved), report (what is in it for people and other
// programs), pages (the console's). verify/, a module of its own, checks a pack with the
// standard library alone.
//
// No token, credential or key is ever in a pack; names and addresses are as far as its
// rule of redaction leaves them.
package pack
