package consent_test

import (
	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/exchange"
	audittrail "partnerguard/internal/trail"
)

// What meets the borders of this room.
var (
	_ consent.Access = (*exchange.Exchange)(nil)
	_ consent.Center = (*msapi.PartnerCenter)(nil)
	_ audit.Recorder = (*audittrail.Trail)(nil)
)
