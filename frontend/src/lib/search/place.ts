/** Where the visitor is, asked of the browser; fetched when somebody wants to know. */
export async function placeOfVisitor(): Promise<{ lat: number; lon: number } | null> {
	return new Promise((found) => {
		navigator.geolocation.getCurrentPosition(
			({ coords }) => found({ lat: coords.latitude, lon: coords.longitude }),
			() => found(null),
			{ timeout: 10_000, maximumAge: 300_000 }
		);
	});
}
