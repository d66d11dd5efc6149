// Package callertest makes the certificates of callers. Tests only.
package callertest
