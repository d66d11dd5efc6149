package problem

import (
	"errors"
	"syscall"
)

// DiskFull says whether an error comes of a disk, or a share of one, without
// room: from the system, SQLite (SQLITE_FULL) or PostgreSQL (53100).
func DiskFull(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, quota) {
		return true
	}
	var lite interface {
		error
		Code() int
	}
	var server interface {
		error
		SQLState() string
	}
	return errors.As(err, &lite) && lite.Code()&0xff == 13 || errors.As(err, &server) && server.SQLState() == "53100"
}
