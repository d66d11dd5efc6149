// Package kittest runs one command by itself. Tests only.
package kittest
