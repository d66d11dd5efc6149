package signon

import "partnerguard/internal/entra"

// Reason is the log's failureReason for a code; "" of 0, which is success.
func Reason(code int) string {
	if code == 0 {
		return ""
	}
	if c, _ := entra.FindCode(code); c.Log != "" {
		return c.Log
	}
	return "Other."
}
