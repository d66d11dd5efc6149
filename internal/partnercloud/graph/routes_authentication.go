package graph

import "partnerguard/internal/partnercloud/kit"

// authenticationRoutes are the methods of a user that can be made and changed, and
// the reset of a password.
func authenticationRoutes() (rows []*route) {
	base := "users/{}/authentication/"
	user, method := (*call).findUser, findMethod
	rows = append(rows, from(kit.Read, "Graph: temporaryAccessPassAuthenticationMethod resource",
		post(base+"temporaryAccessPassMethods", mayWriteMethods.or("UserAuthMethod-TAP.ReadWrite.All"), found(user, createPass)))...)
	phone := mayWriteMethods.or("UserAuthMethod-Phone.ReadWrite.All")
	rows = append(rows, from(kit.Read, "Graph: phoneAuthenticationMethod resource",
		post(base+"phoneMethods", phone, found(user, createPhone)),
		patch(base+"phoneMethods/{}", phone, found(method, changePhone)),
		on("PUT", base+"phoneMethods/{}", phone, found(method, changePhone)),
		post(base+"phoneMethods/{}/enableSmsSignIn", phone, found(method, smsSignIn)).bodiless(),
		post(base+"phoneMethods/{}/disableSmsSignIn", phone, found(method, smsSignIn)).bodiless())...)
	email := mayWriteMethods.or("UserAuthMethod-Email.ReadWrite.All")
	rows = append(rows, from(kit.Read, "Graph: emailAuthenticationMethod resource",
		post(base+"emailMethods", email, found(user, createEmail)),
		patch(base+"emailMethods/{}", email, found(method, changeEmail)),
		on("PUT", base+"emailMethods/{}", email, found(method, changeEmail)))...)
	rows = append(rows, from(kit.Read, "Graph: authenticationMethod: resetPassword",
		post(base+"methods/{}/resetPassword", mayResetPassword, nil).unlocked(resetPassword).bodiless(),
		get(base+"operations/{}", mayResetPassword, found(user, resetOperation)))...)
	for _, x := range []struct {
		name string
		do   handler
	}{{"usersRegisteredByMethod", usersByMethod}, {"usersRegisteredByFeature", usersByFeature}} {
		rows = append(rows, from(kit.Read, "Graph: authenticationMethodsRoot: "+x.name,
			get(methodReports+x.name, mayReadReports, x.do).of(reports),
			get(methodReports+x.name+"/{}", mayReadReports, x.do).of(reports))...)
	}
	rows = append(rows, from(kit.Read, "Graph: riskDetection resource; what the cloud knows of",
		get(detectionsPath, mayReadDetections, riskDetections).pages(20, 500).of(identity),
		get(detectionsPath+"/{}", mayReadDetections, riskDetections).of(identity))...)
	rows = append(rows, from(kit.Known, "Graph: secureScore resource; identity controls, points ours",
		get(scoresPath, mayReadEvents, secureScores).pages(100, 999),
		get(scoresPath+"/{}", mayReadEvents, secureScores),
		get(profilesPath, mayReadEvents, scoreProfiles).pages(100, 999),
		get(profilesPath+"/{}", mayReadEvents, scoreProfiles),
		absent(patch(profilesPath+"/{}", mayReadEvents, nil), "Notes on controls of the secure score"))...)
	rows = append(rows, oathRoutes(base)...)
	rows = append(rows, leftOut(base+"qrCodePinMethod", mayWriteMethods, "QR code sign-in")...)
	return append(rows, leftOut(base+"platformCredentialMethods", mayWriteMethods, "Platform credentials")...)
}

// oathRoutes are those of hardware OATH tokens, which beta alone has, and the global
// cloud alone.
func oathRoutes(base string) []*route {
	own := base + "hardwareOathMethods"
	rows := []*route{
		get(oathPath, mayReadOath, listOath).pages(100, 999), get(oathPath+"/{}", mayReadOath, listOath),
		post(oathPath, mayUploadOath, createOath), patch(oathPath, mayUploadOath, bulkOath),
		patch(oathPath+"/{}", mayUploadOath, found(findOath, changeOath)), del(oathPath+"/{}", mayUploadOath, found(findOath, deleteOath)),
		get(own, mayReadOathOf, found((*call).findUser, oathMethods)).pages(100, 999), get(own+"/{}", mayReadOathOf, found(findOathOf, getOathMethod)),
		post(own, mayAssignOath, found((*call).findUser, assignOath)), del(own+"/{}", mayAssignOath, found(findOathOf, unassignOath)),
		post(own+"/assignAndActivate", mayAssignOath, found((*call).findUser, assignOath)),
		post(own+"/assignAndActivateBySerialNumber", mayAssignOath, found((*call).findUser, assignOath)),
		post(own+"/{}/activate", mayAssignOath, found(findOathOf, activateOath)),
		post(own+"/{}/deactivate", mayAssignOath, found(findOathOf, deactivateOath)).bodiless(),
	}
	for _, r := range rows {
		r.beta()
	}
	return from(kit.Read, "Graph: hardwareOathTokenAuthenticationMethodDevice resource; contracts-2026-11 6", rows...)
}
