// Package guard has the commands that hand out tokens and refuse them: exec, token,
// policy and serve; and those that let into the web console.
package guard
