// Package judge has the commands that judge what was read: assess, signins, prove,
// decide, rehearse, rules, export, spend, automation, and of apppassword, delegation and remedy those that judge.
package judge
