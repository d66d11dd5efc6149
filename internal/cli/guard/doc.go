// Package guard has the commands that hand out tokens and refuse them: exec, token,
// policy and serve; and those that let into the web console; and mfa,
// the people and factors of our own provider.
package guard
