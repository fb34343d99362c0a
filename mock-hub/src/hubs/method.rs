//! A hub method's signature, and the ways a call of it fails, in ASP.NET Core's words.

use crate::protocol::dotnet::Type;

/// What a connection must know of a method before it is called.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// The parameters that are no streams.
    pub(crate) parameters: usize,
    /// The types of the parameters, as far as they are checked before the call; the rest the method binds itself.
    pub(crate) types: &'static [Type],
    /// The item types of the parameters that are streams.
    pub(crate) uploads: &'static [Type],
    pub(crate) is_stream: bool,
    /// Whether a cancelled stream ends at once; else it ends when it comes to its next item.
    pub(crate) takes_cancellation: bool,
}

impl Method {
    pub(crate) const fn plain(name: &'static str, parameters: usize) -> Self {
        Self { name, parameters, types: &[], uploads: &[], is_stream: false, takes_cancellation: true }
    }

    pub(crate) const fn stream(name: &'static str, parameters: usize) -> Self {
        Self { is_stream: true, ..Self::plain(name, parameters) }
    }

    /// Checks these types while the record is read, as ASP.NET Core does: a misfit waits for no other call.
    pub(crate) const fn taking(self, types: &'static [Type]) -> Self {
        Self { types, ..self }
    }

    pub(crate) const fn with_uploads(self, uploads: &'static [Type]) -> Self {
        Self { uploads, ..self }
    }

    pub(crate) const fn deaf_to_cancellation(self) -> Self {
        Self { takes_cancellation: false, ..self }
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
    /// The token lacks a role that the method asks for.
    Unauthorized,
    /// An exception of a stream that had already begun.
    WhileStreaming(Box<MethodError>),
    /// The result cannot be written as JSON: that ends the connection, with this exception.
    Unwritable(&'static str),
}

impl MethodError {
    /// Half a surrogate pair, which .NET reads and cannot write.
    pub(crate) const LONE_SURROGATE: Self =
        Self::Unwritable("JsonException: The object or value could not be serialized. Path: $.");

    pub(crate) fn argument_null(parameter: &str) -> Self {
        let message = format!("Value cannot be null. (Parameter '{parameter}')");
        Self::Exception { kind: "ArgumentNullException", message }
    }

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
            Self::Unauthorized => format!("Failed to invoke '{method}' because user is unauthorized"),
            Self::Hub(_) | Self::Exception { .. } | Self::Unwritable(_) => {
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
