//go:build unix

package problem

import "syscall"

const quota = syscall.EDQUOT
