// Package judge has the commands that judge what was read: assess, signins, prove,
// decide, rehearse, rules, export, spend and automation, and of apppassword and delegation those that judge.
package judge
