//! A hub method's signature, and the ways a call of it fails, in ASP.NET Core's words.

/// What the dispatcher must know before it calls a method.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// The parameters that are no streams.
    pub(crate) parameters: usize,
    pub(crate) uploads: usize,
    pub(crate) is_stream: bool,
}

impl Method {
    pub(crate) const fn plain(name: &'static str, parameters: usize) -> Self {
        Self { name, parameters, uploads: 0, is_stream: false }
    }

    pub(crate) const fn stream(name: &'static str, parameters: usize) -> Self {
        Self { name, parameters, uploads: 0, is_stream: true }
    }

    pub(crate) const fn with_uploads(self, uploads: usize) -> Self {
        Self { uploads, ..self }
    }
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MethodError {
    /// The arguments do not fit; the text is told only with detailed errors.
    Binding(String),
    /// A HubException: its text is always told.
    Hub(String),
    /// Any other exception: told only with detailed errors.
    Exception { kind: &'static str, message: String },
    /// An exception of a stream that had already begun.
    WhileStreaming(Box<MethodError>),
    /// The result cannot be written as JSON: that ends the connection.
    Unwritable,
}

impl MethodError {
    pub(crate) fn wrong_argument_type() -> Self {
        Self::Binding(
            "Error binding arguments. Make sure that the types of the provided values match the types of the hub \
             method being invoked."
                .to_owned(),
        )
    }

    /// The text of the Completion.
    pub(crate) fn text(&self, method: &str, detailed: bool) -> String {
        match self {
            Self::Binding(_) => {
                format!("Failed to invoke '{method}' due to an error on the server.{}", self.suffix(detailed))
            }
            Self::Hub(_) | Self::Exception { .. } | Self::Unwritable => {
                format!("An unexpected error occurred invoking '{method}' on the server.{}", self.suffix(detailed))
            }
            Self::WhileStreaming(error) => {
                format!("An error occurred on the server while streaming results.{}", error.suffix(detailed))
            }
        }
    }

    fn suffix(&self, detailed: bool) -> String {
        match self {
            Self::Hub(message) => format!(" HubException: {message}"),
            Self::Binding(message) if detailed => format!(" InvalidDataException: {message}"),
            Self::Exception { kind, message } if detailed => format!(" {kind}: {message}"),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hub_exceptions_are_told_unless_errors_are_detailed() {
        let hidden = MethodError::Exception { kind: "InvalidOperationException", message: "BOOM!".to_owned() };
        assert_eq!(hidden.text("M", false), "An unexpected error occurred invoking 'M' on the server.");
        assert_eq!(
            hidden.text("M", true),
            "An unexpected error occurred invoking 'M' on the server. InvalidOperationException: BOOM!"
        );
        let told = MethodError::WhileStreaming(Box::new(MethodError::Hub("boom".to_owned())));
        assert_eq!(
            told.text("M", false),
            "An error occurred on the server while streaming results. HubException: boom"
        );
        let binding = MethodError::wrong_argument_type();
        assert_eq!(binding.text("M", false), "Failed to invoke 'M' due to an error on the server.");
    }
}
