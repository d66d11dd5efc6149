package signon

// Reason is the log's failureReason for a code (contracts.md section 3.2), in
// our words where Microsoft's are not published.
func Reason(code int) string {
	if t, ok := reasons()[code]; ok {
		return t
	}
	return "Other."
}

func reasons() map[int]string {
	return map[int]string{
		0:       "",
		50020:   "User account from identity provider does not exist in tenant and cannot access the application in that tenant.",
		50053:   "The account is locked because of too many attempts with an incorrect user ID or password.",
		50055:   "The password is expired.",
		50057:   "The user account is disabled.",
		50072:   "User needs to enroll for multifactor authentication (interactive).",
		50074:   "Strong authentication is required.",
		50076:   "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multifactor authentication to access the resource.",
		50078:   "Presented multifactor authentication has expired due to policies configured by your administrator, you must refresh your multifactor authentication.",
		50079:   "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multifactor authentication to access the resource.",
		50097:   "Device authentication is required.",
		50105:   "The signed in user is not assigned to a role for the application.",
		50126:   "Error validating credentials due to invalid username or password.",
		50140:   "This error occurred due to 'Keep me signed in' interrupt when the user was signing-in.",
		50144:   "The user's password has expired.",
		50158:   "External security challenge was not satisfied.",
		50161:   "Failed to validate authorization url of external claims provider: a claim of its token is invalid.",
		50173:   "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
		50177:   "External challenge is not supported for passthrough users: the account cannot be passed through to the customer's tenant.",
		500121:  "Authentication failed during strong authentication request.",
		53000:   "Device is not in required device state: compliant.",
		53001:   "Device is not in required device state: domain_joined.",
		53002:   "The app used is not an approved app for conditional access.",
		53003:   "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
		53004:   "User needs to complete multifactor authentication registration, and it was blocked because of risk.",
		530035:  "Access has been blocked by security defaults.",
		65001:   "The user or administrator has not consented to use the application.",
		65004:   "User declined to consent to access the app.",
		70008:   "The refresh token has expired due to inactivity or the code has expired.",
		70043:   "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.",
		700082:  "The refresh token has expired due to inactivity.",
		900491:  "The service principal of the external MFA provider is missing.",
		5001256: "The token of the external MFA provider is invalid.",
	}
}
