// Package guard has the commands that hand out tokens and refuse them: exec, token,
// policy and serve; those that let into the web console; and otp, the application for
// one-time passwords.
package guard
