//go:build !unix

package problem

import "syscall"

const quota = syscall.Errno(112) // ERROR_DISK_FULL
